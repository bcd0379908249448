"""What docs/reference, the diagram and dbt's sources are made from: a warehouse that every release fills."""
