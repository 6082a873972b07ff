/** What a Linux system has for Vulkan, by which Dawn reaches a GPU: why there is no adapter, and what to do. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const LOADER = 'libvulkan.so.1';
const LIBRARY_FOLDERS = [
  '/lib/x86_64-linux-gnu',
  '/usr/lib/x86_64-linux-gnu',
  '/lib/aarch64-linux-gnu',
  '/usr/lib/aarch64-linux-gnu',
  '/lib64',
  '/usr/lib64',
  '/usr/lib',
  '/usr/local/lib',
];
const MANIFEST_FOLDERS = ['/usr/share/vulkan/icd.d', '/usr/local/share/vulkan/icd.d', '/etc/vulkan/icd.d'];
/** A manifest is a few lines. */
const MOST_MANIFEST_BYTES = 1 << 16;
const NVIDIA = '/proc/driver/nvidia/version';

export interface VulkanSystem {
  /** Where the loader lies. */
  readonly loader: string | undefined;
  /** Manifests of drivers, with the library that each names. */
  readonly drivers: readonly { readonly manifest: string; readonly library: string }[];
  /** The kernel has NVIDIA's driver. */
  readonly nvidia: boolean;
}

/** Looks at the folders below `root`, as `environment` leads to them. Nothing is loaded. */
export function vulkanSystem(environment: NodeJS.ProcessEnv, root = '/'): VulkanSystem {
  const at = (path: string): string => join(root, path);
  const folders = [...(environment.LD_LIBRARY_PATH ?? '').split(delimiter).filter(Boolean), ...LIBRARY_FOLDERS];
  const named = environment.VK_DRIVER_FILES ?? environment.VK_ICD_FILENAMES;
  const manifests =
    named === undefined
      ? MANIFEST_FOLDERS.flatMap((folder) => namesIn(at(folder)).map((name) => join(folder, name)))
      : named.split(delimiter).filter(Boolean);
  return {
    loader: folders.map((folder) => join(folder, LOADER)).find((path) => existsSync(at(path))),
    drivers: manifests.flatMap((manifest) => {
      const library = libraryOf(at(manifest));
      return library === undefined ? [] : [{ manifest, library }];
    }),
    nvidia: existsSync(at(NVIDIA)),
  };
}

/** What a system without an adapter lacks, and what to do. */
export function missing({ loader, drivers, nvidia }: VulkanSystem): { readonly found: string; readonly todo: string } {
  if (loader === undefined) {
    const todo = 'Install it (Debian and Ubuntu: libvulkan1; Fedora: vulkan-loader), and the driver of the GPU.';
    return { found: `the Vulkan loader (${LOADER}) is not installed`, todo };
  }
  const names = drivers.map(({ manifest, library }) => `${manifest} (${library})`).join(', ');
  if (nvidia && !drivers.some(({ library }) => library.includes('EGL_nvidia'))) {
    const found = `NVIDIA's driver is there, but no manifest names libEGL_nvidia.so.0${names && `: ${names}`}`;
    return { found, todo: HEADLESS };
  }
  if (drivers.length === 0) {
    const todo = 'Install the Vulkan driver of the GPU; VK_DRIVER_FILES names its manifest if it lies elsewhere.';
    return { found: 'no Vulkan driver is registered', todo };
  }
  const todo =
    'See whether this user may open the device (groups video and render; in a container: --gpus or --device).';
  return { found: `no adapter from ${names}`, todo };
}

/** libGLX_nvidia, which the driver's own manifest names, wants an X server. */
const HEADLESS =
  'On a machine without a display, write {"file_format_version":"1.0.1","ICD":{"library_path":"libEGL_nvidia.so.0",' +
  '"api_version":"1.3.0"}} into a file and let VK_DRIVER_FILES name it; it needs libX11 and libXext.';

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.json'))
      .sort();
  } catch {
    return [];
  }
}

/** The library that a manifest names; undefined for what is no manifest. */
function libraryOf(path: string): string | undefined {
  try {
    if (statSync(path).size > MOST_MANIFEST_BYTES) return undefined;
    const manifest: { ICD?: { library_path?: unknown } } = JSON.parse(readFileSync(path, 'utf8'));
    const library = manifest.ICD?.library_path;
    return typeof library === 'string' ? library : undefined;
  } catch {
    return undefined;
  }
}
