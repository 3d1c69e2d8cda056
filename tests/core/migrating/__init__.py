"""An app whose data has to be migrated."""
