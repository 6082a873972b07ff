export function _start(): void {}
