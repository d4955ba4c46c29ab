"""What the tools answer: tasks, lists, links, refusals, and the next step."""
