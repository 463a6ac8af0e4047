// Shows the API's OpenAPI document. Its address is relative, because API Gateway puts the stage's name before it.
SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#reference",
  deepLinking: true,
  validatorUrl: null, // nothing is sent to other servers
});
