"""The HTTP contract: what requests may hold and how they are answered.

Independent of any server, of the network and of torch. A request in any format passes four verbs:
`pipeline.decode`, `pipeline.validate`, the service runs the model, `pipeline.encode`.

    outputs/  possible outputs of a series: one file and one line each
    formats/  kinds of bodies: one file and one line each
    inputs/   series and latents of requests, checked against the model
    schema/   JSON Schemas and the OpenAPI document
"""
