// Swagger UI on the description that this server gives of its own REST API.

const dark = matchMedia("(prefers-color-scheme: dark)");

// Swagger UI asks for no colour scheme by itself; its style sheet has one for this class.
const colour = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", colour);
colour();

/** Moves the example of a parameter that may be left out into words. */
function say(parameter) {
  const { example, schema, ...rest } = parameter;
  if (parameter.required || parameter.$ref) {
    return parameter;
  }
  const { example: another, ...bare } = schema ?? {};
  const shown = [example ?? another ?? []].flat().join(",");
  const description = shown ? `${rest.description ?? ""} Example: \`${shown}\`` : rest.description;
  return { ...rest, description, schema: bare };
}

// Swagger UI fills each example in to be sent: a search would go on from a cursor that there never was, and a change would
// always be of another version.
const unfilled = (description) => {
  const paths = Object.entries(description.paths ?? {}).map(([path, operations]) => {
    const said = Object.entries(operations).map(([method, operation]) => [
      method,
      operation.parameters ? { ...operation, parameters: operation.parameters.map(say) } : operation,
    ]);
    return [path, Object.fromEntries(said)];
  });
  return { ...description, paths: Object.fromEntries(paths) };
};

SwaggerUIBundle({
  domNode: document.getElementById("docs"),
  url: "/api/v1/openapi.json",
  plugins: [
    { statePlugins: { spec: { wrapActions: { updateJsonSpec: (update) => (description) => update(unfilled(description)) } } } },
  ],
  deepLinking: true,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
  // An access token is not for keeping in the browser's storage.
  persistAuthorization: false,
  // The badge would send the description's address to another host.
  validatorUrl: null,
});
