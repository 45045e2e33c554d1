"""Records to entities: block, compare, weigh, cluster, explain; the same model in batch and one record at a time."""
