"use strict";

/** The document as Swagger UI can work with it: it fills in and sends whatever has an example, and "string" where a form has none. */
function adapted(api) {
  const resolved = (value) => (value?.$ref ? value.$ref.slice(2).split("/").reduce((node, key) => node[key], api) : value);

  const parameter = ({ example, ...rest }) => {
    if (example === undefined) return rest;
    return rest.required ? { ...rest, example } : { ...rest, description: `${rest.description}\n\nSuch as \`${example}\`.` };
  };

  const form = ({ schema, example }) => {
    const { properties, ...rest } = resolved(schema);
    const filled = (name, property) => (property.format === "binary" ? property : { ...property, example: example[name] ?? "" });
    const fields = Object.entries(properties).map(([name, property]) => [name, filled(name, resolved(property))]);
    return { example, schema: { ...rest, properties: Object.fromEntries(fields) } };
  };

  const contents = (content) =>
    Object.fromEntries(Object.entries(content).map(([type, value]) => [type, /^multipart\/|-urlencoded$/.test(type) ? form(value) : value]));

  const operation = ({ parameters, requestBody, ...rest }) => ({
    ...rest,
    ...(parameters && { parameters: parameters.map((one) => parameter(resolved(one))) }),
    ...(requestBody && { requestBody: { ...requestBody, content: contents(requestBody.content) } }),
  });

  const item = (operations) => Object.fromEntries(Object.entries(operations).map(([method, one]) => [method, operation(one)]));
  return { ...api, paths: Object.fromEntries(Object.entries(api.paths).map(([path, operations]) => [path, item(operations)])) };
}

/** A request with the credentials that the page was given and no others, and with the type of the file that it carries. */
function prepared(request) {
  request.credentials = "omit";
  if (request.headers?.["Content-Type"] === "*/*") request.headers["Content-Type"] = request.body?.type || "application/octet-stream";
  return request;
}

SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#api",
  deepLinking: true,
  displayRequestDuration: true,
  filter: true,
  persistAuthorization: false,
  requestInterceptor: prepared,
  tryItOutEnabled: true,
  validatorUrl: null,
  plugins: [{ statePlugins: { spec: { wrapActions: { updateJsonSpec: (update) => (api) => update(adapted(api)) } } } }],
});
