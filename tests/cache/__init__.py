"""What must survive: the store, the leases, the kept media."""
