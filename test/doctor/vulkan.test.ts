import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { missing, vulkanSystem } from '../../src/doctor/vulkan.js';
import { temporaryFolder } from '../helpers/cli.js';

const LOADER = '/usr/lib/x86_64-linux-gnu/libvulkan.so.1';
const manifest = (library: string): string => JSON.stringify({ ICD: { library_path: library } });

/** A root with these files; and what it says of its Vulkan. */
function system(files: Readonly<Record<string, string>>, environment: NodeJS.ProcessEnv = {}) {
  const root = temporaryFolder();
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return vulkanSystem(environment, root);
}

it('tells that there is no loader', () => {
  const { found, todo } = missing(system({ '/usr/share/vulkan/icd.d/a.json': manifest('liba.so') }));
  expect(found).toContain('libvulkan.so.1');
  expect(todo).toContain('libvulkan1');
});

it('finds the loader where LD_LIBRARY_PATH leads', () => {
  expect(system({ '/kit/libvulkan.so.1': '' }, { LD_LIBRARY_PATH: '/other:/kit' }).loader).toBe('/kit/libvulkan.so.1');
});

it('tells that no driver is registered, whatever else lies in the folders of manifests', () => {
  const found = system({
    [LOADER]: '',
    '/etc/vulkan/icd.d/broken.json': '{',
    '/etc/vulkan/icd.d/other.json': '{"layer":{}}',
    '/etc/vulkan/icd.d/large.json': `${manifest('liblarge.so')}${' '.repeat(1 << 16)}`,
    '/etc/vulkan/icd.d/readme.txt': manifest('libtext.so'),
  });
  expect(found.drivers).toEqual([]);
  expect(missing(found).found).toContain('no Vulkan driver is registered');
});

it('says how to reach a GPU of NVIDIA without a display', () => {
  const files = {
    [LOADER]: '',
    '/proc/driver/nvidia/version': 'NVRM',
    '/etc/vulkan/icd.d/nvidia_icd.json': manifest('libGLX_nvidia.so.0'),
  };
  const { found, todo } = missing(system(files));
  expect(found).toContain('libGLX_nvidia.so.0');
  expect(todo).toContain('libEGL_nvidia.so.0');
  const own = { ...files, '/own.json': manifest('libEGL_nvidia.so.0') };
  expect(missing(system(own, { VK_DRIVER_FILES: '/own.json' })).todo).toContain('--gpus');
});

it('looks at the files that VK_DRIVER_FILES or VK_ICD_FILENAMES name, and at no others', () => {
  const files = {
    [LOADER]: '',
    '/etc/vulkan/icd.d/a.json': manifest('liba.so'),
    '/b.json': manifest('libb.so'),
  };
  const libraries = (environment: NodeJS.ProcessEnv) =>
    system(files, environment).drivers.map(({ library }) => library);
  expect(libraries({})).toEqual(['liba.so']);
  expect(libraries({ VK_DRIVER_FILES: '/b.json:/none.json' })).toEqual(['libb.so']);
  expect(libraries({ VK_ICD_FILENAMES: '/b.json' })).toEqual(['libb.so']);
});
