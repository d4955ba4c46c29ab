"""What `rushes doctor` looks at."""
