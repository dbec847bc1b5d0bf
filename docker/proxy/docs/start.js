// No validator: it would be a request to another host.
SwaggerUIBundle({
  url: "/openapi.yaml",
  dom_id: "#page",
  validatorUrl: null,
  // The page fills in all headers, also this one, which is for bodies that are not JSON.
  requestInterceptor: (request) => {
    if (request.headers["Content-Type"] === "application/json") {
      delete request.headers["Rvae-Options"];
    }
    return request;
  },
});
