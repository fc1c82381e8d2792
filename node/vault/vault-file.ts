import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Random } from '@postern/base/random.ts'
import { readWhole, writeWhole } from '../state/files.ts'

interface VaultFilesParts {
  readonly folder: string
  /** The node's own secret (`node.json`), base64url. */
  readonly secret: string
  readonly random: Random
}

/** Files of `vault/`: each is AES-256-GCM under a key that only this node has, and bound to its own name. */
export class VaultFiles {
  readonly #folder: string
  readonly #key: Buffer
  readonly #random: Random

  constructor(parts: VaultFilesParts) {
    this.#folder = parts.folder
    this.#random = parts.random
    this.#key = Buffer.from(hkdfSync('sha256', Buffer.from(parts.secret, 'base64url'), '', 'postern/vault/v1', 32))
  }

  async write(name: string, text: string): Promise<void> {
    const nonce = this.#random.bytes(12)
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce).setAAD(Buffer.from(name))
    const body = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
    await writeWhole(this.#path(name), body.toString('base64url'))
  }

  /** Undefined when there is no such file, or it is not one that this node wrote: then it is fetched anew. */
  async read(name: string): Promise<string | undefined> {
    const text = await readWhole(this.#path(name))
    if (text === undefined) return undefined
    const body = Buffer.from(text, 'base64url')
    if (body.length < 28) return undefined
    try {
      const plain = createDecipheriv('aes-256-gcm', this.#key, body.subarray(0, 12)).setAAD(Buffer.from(name))
      plain.setAuthTag(body.subarray(-16))
      return Buffer.concat([plain.update(body.subarray(12, -16)), plain.final()]).toString('utf8')
    } catch {
      return undefined
    }
  }

  async remove(name: string): Promise<void> {
    await rm(this.#path(name), { force: true })
  }

  #path(name: string): string {
    return join(this.#folder, name)
  }
}
