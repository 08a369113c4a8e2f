"""What cli.py puts together: options that commands share, and commands apart from the daily run."""
