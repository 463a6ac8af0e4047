"""The fault run: many recordings through the stack, with faults in S3, in the events and in the function."""
