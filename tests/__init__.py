"""unit/: one module at a time. integration/: with a real S3. e2e/: the stack of template.yaml."""
