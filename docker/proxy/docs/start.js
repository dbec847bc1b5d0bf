// No validator: it would be a request to another host.
SwaggerUIBundle({ url: "/openapi.yaml", dom_id: "#page", validatorUrl: null });
