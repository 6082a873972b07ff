import { relative } from 'node:path';
import { type NewProjectOptions, newProject } from '../harness/new-project.js';

/** `warpshrew new NAME`: makes a project. Throws what {@link newProject} does. */
export function newCommand(name: string, options: NewProjectOptions): { text: string; exitStatus: number } {
  const folder = newProject(name, options);
  const shown = relative(process.cwd(), folder) || '.';
  return { text: `made ${shown}\n  cd ${shown} && npm install && npm test`, exitStatus: 0 };
}
