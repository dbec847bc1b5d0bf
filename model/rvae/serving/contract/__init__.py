"""What requests may say and how they are answered, free of any server and of any network."""
