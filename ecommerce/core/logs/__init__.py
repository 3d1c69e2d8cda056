"""What the product writes about itself: ECS JSON lines in production, without secrets.

docs/logs.md says which fields there are, what is left out, and how the lines reach Elasticsearch.
"""
