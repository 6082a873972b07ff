interface SoftwareGpuScript {
  softwareDriverEnvironment(): Record<string, string>;
  hasSoftwareDriverEnvironment(): boolean;
  runWith(environment: Record<string, string>, command: string, args: readonly string[]): Promise<number>;
}

// One implementation, in plain JavaScript because `npm run software-gpu` must work before the build.
async function script(): Promise<SoftwareGpuScript> {
  const url = new URL('../../../scripts/software-gpu.mjs', import.meta.url).href;
  return (await import(url)) as SoftwareGpuScript;
}

/**
 * Variables that a process must be started with to use the bundled software GPU driver (SwiftShader); unpacks the driver first.
 * Empty where the bundled driver does not run (anything but Linux on x64).
 */
export async function softwareDriverEnvironment(): Promise<Record<string, string>> {
  return (await script()).softwareDriverEnvironment();
}

/** Whether this process already runs with the bundled driver, so that nothing re-spawns itself for ever. */
export async function hasSoftwareDriverEnvironment(): Promise<boolean> {
  return (await script()).hasSoftwareDriverEnvironment();
}

/** Runs this very command line once more under the software driver; resolves with its exit status. */
export async function respawnWithSoftwareDriver(): Promise<number> {
  const { runWith } = await script();
  return runWith(await softwareDriverEnvironment(), process.execPath, [...process.execArgv, ...process.argv.slice(1)]);
}
