"""Tools around the stack: LocalStack with the function in it, demo, backfill, fault run, audit, prices."""
