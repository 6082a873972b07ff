import { runUnderSoftwareDriver } from '../gpu/device/software-driver.js';

/** `warpshrew software-gpu -- COMMAND ARGUMENTS`: gives that command's exit status. */
export async function softwareGpuCommand(command: readonly string[]): Promise<{ text: string; exitStatus: number }> {
  return { text: '', exitStatus: await runUnderSoftwareDriver(command) };
}
