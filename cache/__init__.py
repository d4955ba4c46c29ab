"""What must survive: the task store, the leases between processes, the media files."""
