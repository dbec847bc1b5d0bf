"""The HTTP contract: what requests may hold and how they are answered.

Free of any server, of the network and of torch. A request passes four verbs, in whichever format
it comes: `pipeline.decode`, `pipeline.validate`, the service runs the model, `pipeline.encode`.

    outputs/  what a series can be answered with: one file and one line each
    formats/  kinds of bodies: one file and one line each
    inputs/   series and latents of requests, checked against the model
    schema/   JSON Schemas and the OpenAPI document
"""
