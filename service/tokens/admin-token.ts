import { rename, stat, writeFile } from 'node:fs/promises'
import type { Component } from '@postern/base/lifecycle.ts'
import type { Log } from '@postern/base/log.ts'
import type { PersonRepository } from '../people/person-repository.ts'
import type { TokenRepository } from './token-repository.ts'
import type { TokenService } from './token-service.ts'

export interface AdminTokenParts {
  readonly folder: { file(name: string): string }
  readonly tokens: TokenService
  readonly repository: Pick<TokenRepository, 'anyAdministrator'>
  readonly people: Pick<PersonRepository, 'anyAdministrator'>
  readonly log: Log
}

/**
 * The first start in a data folder writes an administrator's token to a file that only its user can read. The file may
 * be deleted once there is an account that administers: it comes back only when the database has no administrator at all.
 */
export class AdminToken implements Component {
  readonly name = 'admin-token'
  readonly file: string
  readonly #parts: AdminTokenParts
  readonly #marker: string

  constructor(parts: AdminTokenParts) {
    this.#parts = parts
    this.file = parts.folder.file('admin-token')
    this.#marker = parts.folder.file('service.json')
  }

  async start(): Promise<void> {
    const { tokens, repository, people, log } = this.#parts
    const started = await stat(this.#marker).catch(() => undefined)
    if (started && ((await repository.anyAdministrator()) || (await people.anyAdministrator()))) return
    const token = tokens.mint()
    // Written first, valid second: a start that is cut short in between leaves no token that nobody knows.
    await writeWhole(this.file, `${token}\n`)
    await tokens.create({ name: 'administrator', role: 'administrator', by: 'service', expiresAt: null, token })
    await writeWhole(this.#marker, '{ "format": 1 }\n')
    log.info({ file: this.file, next: 'postern person create NAME --role administrator' }, "administrator's token written")
  }

  async stop(): Promise<void> {}
}

async function writeWhole(file: string, text: string): Promise<void> {
  await writeFile(`${file}.part`, text, { mode: 0o600 })
  await rename(`${file}.part`, file)
}
