"""The fault run: many objects, few of them quiet, and everything between S3 and the function going wrong."""
