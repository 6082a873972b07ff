/**
 * Without a display there is none whose GPU Mesa's layer would have to find: where it looks for one all the same, it
 * prints two lines of errors. Set before anything loads a driver, and for the processes that are started.
 */
const { env } = process;
const CHOOSES = ['DISPLAY', 'WAYLAND_DISPLAY', 'DRI_PRIME', 'MESA_VK_DEVICE_SELECT'];
if (CHOOSES.every((name) => env[name] === undefined)) env.NODEVICE_SELECT ??= '1';

export {};
