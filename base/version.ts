import manifest from './package.json' with { type: 'json' }

/** One version number for all workspaces. */
export const VERSION: string = manifest.version
