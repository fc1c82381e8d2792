import { open, realpath } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { Fault } from '@postern/protocol/fault.ts'
import { errorCode } from '../state/files.ts'

/** A secret is a line or a key, not a file of data. */
const FILE_BYTES = 65_536

/**
 * The text of a file below the secrets folder, without the line's end. Links are followed (Kubernetes mounts secrets by links), but not
 * out of the folder: who may make a store must not be able to read any file of the machine.
 */
export async function secretFromFile(folder: string, path: string): Promise<string> {
  const inside = await real(folder, path)
  const file = await open(inside, 'r').catch((cause: unknown) => {
    throw missing(path, folder, cause)
  })
  try {
    const stat = await file.stat()
    if (!stat.isFile()) throw new Fault('REFERENCE_INVALID', { at: `(file:${path} is no file)` })
    if (stat.size > FILE_BYTES) throw new Fault('REFERENCE_INVALID', { at: `(file:${path} is larger than ${FILE_BYTES} bytes)` })
    return (await file.readFile('utf8')).replace(/\r?\n$/, '')
  } finally {
    await file.close()
  }
}

async function real(folder: string, path: string): Promise<string> {
  try {
    const root = await realpath(folder)
    const found = await realpath(join(root, path))
    if (found.startsWith(root + sep)) return found
  } catch (cause) {
    throw missing(path, folder, cause)
  }
  throw new Fault('REFERENCE_DENIED', { at: `(file:${path} leads out of the secrets folder)` })
}

function missing(path: string, folder: string, cause: unknown): Fault {
  const code = errorCode(cause)
  if (code === 'EACCES' || code === 'EPERM') {
    return new Fault('REFERENCE_DENIED', {
      at: `(file:${path} in ${folder}: ${code})`,
      remedy: 'Give the user that runs the node access to the file.',
      cause,
    })
  }
  return new Fault('REFERENCE_MISSING', { at: `(file:${path} in ${folder})`, cause })
}
