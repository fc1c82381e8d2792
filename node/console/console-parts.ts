import type { Component } from '@postern/base/lifecycle.ts'
import type { NodeOptions } from '../node.ts'
import type { DataFolder } from '../state/data-folder.ts'
import { ConsoleDesk, type ConsoleDeskParts } from './console-desk.ts'
import { loadConsoleFile } from './console-file.ts'
import { ConsoleServer } from './console-server.ts'
import type { RecoveryLook } from './recovery-look.ts'

type ConsoleOptions = Pick<NodeOptions, 'consolePort' | 'console' | 'log' | 'clock' | 'random'>

interface ConsoleRoom extends Omit<ConsoleDeskParts, 'lines' | 'secrets' | 'clock' | 'log'> {
  readonly folder: DataFolder
  readonly recovery: RecoveryLook
}

/** The configuration manager, put together; none where the node was started without. */
export async function consoleParts(options: ConsoleOptions, { folder, recovery, ...room }: ConsoleRoom): Promise<readonly Component[]> {
  const { consolePort: port, console: given = {}, log, clock, random } = options
  if (port === undefined) return []
  const file = await loadConsoleFile(folder.path, random)
  const secrets = () => {
    const { identity, secret, channel, proxyUrl } = folder.joined()
    return [identity, secret, channel.privateKey, file.secret, ...passwordsOf(proxyUrl)]
  }
  const desk = new ConsoleDesk({ ...room, lines: given.lines, secrets, clock, log })
  const server = new ConsoleServer({ port, data: folder.path, file, pages: given.pages, status: room.status, desk, clock, random, log })
  return [recovery, server]
}

/** As it is written in the address, and as it is meant. */
function passwordsOf(address: string): readonly string[] {
  const password = URL.parse(address)?.password
  if (!password) return []
  try {
    return [password, decodeURIComponent(password)]
  } catch {
    return [password]
  }
}
