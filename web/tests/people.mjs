// Who is there and what may be tested with: people with their keys, two projects.
import { client } from "./platform.mjs";

const PEOPLE = [
  // name, project, role
  ["ada", "lab", "submitter"],
  ["vera", "lab", "viewer"],
  ["sam", "school", "submitter"],
  ["olga", "platform", "operator"],
  ["noor", "lab", "owner"],
  ["otto", "platform", "auditor"],
];

/** Makes projects, people and a key for each. */
export async function populate({ url, key }) {
  const owner = client(url, key);
  for (const name of ["lab", "school"]) await owner("POST", "/v1/projects", { name });
  const keys = { owner: key };
  for (const [name, project, role] of PEOPLE) {
    await owner("POST", "/v1/users", { name });
    await owner("POST", "/v1/members", { project, user: name, role });
    keys[name] = (await owner("POST", "/v1/keys", { name: `${name}-laptop`, user: name, scopes: ["*"] })).secret;
  }
  return { url, keys };
}
