"""What moves a task: one submission, looks, keeping, cancelling, taking over."""
