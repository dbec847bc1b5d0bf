"""JSON Schemas of requests, answers and descriptions, and the OpenAPI document made of them."""
