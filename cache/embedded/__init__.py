"""The task store of one machine, in diskcache."""
