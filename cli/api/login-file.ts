import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Fault } from '@postern/protocol/fault.ts'
import { z } from 'zod'

const Login = z.object({ url: z.string(), token: z.string() })
export type Login = z.infer<typeof Login>

const pathIn = (folder: string) => join(folder, 'login.json')

export async function readLogin(configFolder: string): Promise<Login | undefined> {
  return readPrivate(pathIn(configFolder), Login)
}

export async function writeLogin(configFolder: string, login: Login): Promise<string> {
  await writePrivate(configFolder, 'login.json', login)
  return pathIn(configFolder)
}

export async function forgetLogin(configFolder: string): Promise<void> {
  await rm(pathIn(configFolder), { force: true })
}

/** A file of one's own, as its schema says; undefined when there is none. */
export async function readPrivate<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined
    throw new Fault('FILE_DENIED', { at: path, cause })
  }
  try {
    return schema.parse(JSON.parse(text))
  } catch (cause) {
    throw new Fault('CONFIG_INVALID', { at: `${path} cannot be read.`, remedy: 'Delete the file and sign in again.', cause })
  }
}

/** Written aside and renamed: another command never reads half of it. Only its owner may read it. */
export async function writePrivate(folder: string, name: string, value: unknown): Promise<void> {
  const path = join(folder, name)
  const aside = `${path}.${process.pid}`
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await writeFile(aside, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 })
    await rename(aside, path)
  } catch (cause) {
    throw new Fault('FILE_DENIED', { at: path, cause })
  }
}
