// Writes src/api/v1.ts, the types of the HTTP interface, from openapi/v1.json. Our document uses a small part of JSON Schema,
// so this is small; what it does not know stops it.
import { readFileSync, writeFileSync } from "node:fs";

const document = JSON.parse(readFileSync(new URL("../openapi/v1.json", import.meta.url), "utf8"));
const quote = JSON.stringify;
const note = (text, indent = "") => (text ? `${indent}/** ${text.replaceAll("*/", "* /").replace(/\s+/g, " ")} */\n` : "");
const nameOf = (ref) => ref.split("/").at(-1);

function type(schema, indent = "") {
  if (schema === undefined || schema === true) return "unknown";
  if (schema.$ref) return nameOf(schema.$ref);
  if (schema.oneOf ?? schema.anyOf) return (schema.oneOf ?? schema.anyOf).map((one) => type(one, indent)).join(" | ");
  if (schema.allOf) return schema.allOf.map((one) => `(${type(one, indent)})`).join(" & ");
  if (schema.enum) return schema.enum.map(quote).join(" | ");
  const kinds = [schema.type ?? "any"].flat();
  return kinds.map((kind) => ofKind(kind, schema, indent)).join(" | ");
}

function ofKind(kind, schema, indent) {
  switch (kind) {
    case "null":
    case "boolean":
      return kind;
    case "string":
      return "string";
    case "integer":
    case "number":
      return "number";
    case "any":
      return "unknown";
    case "array":
      return `(${type(schema.items, indent)})[]`;
    case "object":
      return object(schema, indent);
    default:
      throw new Error(`types.mjs does not know the type ${kind}`);
  }
}

function object(schema, indent) {
  const extra = schema.additionalProperties;
  if (!schema.properties) return extra && typeof extra === "object" ? `{ [name: string]: ${type(extra, indent)} }` : "Record<string, unknown>";
  const required = new Set(schema.required ?? []);
  const inner = `${indent}  `;
  const members = Object.entries(schema.properties).map(
    ([name, value]) => `${note(value.description, inner)}${inner}${quote(name)}${required.has(name) ? "" : "?"}: ${type(value, inner)};\n`,
  );
  return `{\n${members.join("")}${indent}}`;
}

const json = (content) => content?.["application/json"]?.schema;

// Only answers that say "it was done" have a type here: the others are problems.
function answer(responses) {
  const good = Object.entries(responses).filter(([status]) => status.startsWith("2"));
  const types = good.map(([, response]) => (json(response.content) ? type(json(response.content), "    ") : response.content ? "string" : "undefined"));
  return [...new Set(types)].join(" | ");
}

function operation(said) {
  const place = (where) => {
    const found = (said.parameters ?? []).filter((one) => one.in === where);
    return found.length === 0 ? "undefined" : `{ ${found.map((one) => `${quote(one.name)}${one.required ? "" : "?"}: ${type(one.schema)}`).join("; ")} }`;
  };
  const body = json(said.requestBody?.content);
  return `{ path: ${place("path")}; query: ${place("query")}; body: ${body ? type(body, "    ") : "undefined"}; answer: ${answer(said.responses)} }`;
}

let out = "// Made by types.mjs from openapi/v1.json; not to be edited.\n\n";
for (const [name, schema] of Object.entries(document.components.schemas)) {
  out += `${note(schema.description)}export type ${name} = ${type(schema)};\n\n`;
}
out += "/** Every operation, by its method and path. */\nexport interface Operations {\n";
for (const [path, methods] of Object.entries(document.paths)) {
  for (const method of ["get", "post", "put", "patch", "delete"]) {
    if (methods[method]) out += `${note(methods[method].summary, "  ")}  ${quote(`${method.toUpperCase()} ${path}`)}: ${operation(methods[method])};\n`;
  }
}
out += "}\n";
writeFileSync(new URL("src/api/v1.ts", import.meta.url), out);
