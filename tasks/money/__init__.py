"""What generations cost and how long they take, beforehand and afterwards, and how much may be spent."""
