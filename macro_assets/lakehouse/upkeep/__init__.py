"""What keeps a lake whole: backup and restore, damage and repair, maintenance and migration, proof of an S3 store."""
