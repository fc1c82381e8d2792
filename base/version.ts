import { readFile } from 'node:fs/promises'
import manifest from './package.json' with { type: 'json' }

/** One version number for all workspaces. */
export const VERSION: string = manifest.version

/** What lies on the disk by now: another one after an update, until the process is started anew. */
export async function installedVersion(): Promise<string | null> {
  try {
    const { version }: { version?: unknown } = JSON.parse(await readFile(new URL('./package.json', import.meta.url), 'utf8'))
    return typeof version === 'string' ? version : null
  } catch {
    return null
  }
}
