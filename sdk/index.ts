// Where AssemblyScript's compiler looks for "warpshrew/sdk". The sources are those of wasm/sdk/, copied by the build.
export * from '../dist/sdk/index';
