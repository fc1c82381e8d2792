/** What the tour goes through: a service that nobody has signed in at, a shop's database with public data, a warehouse, a folder. */
import { randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestFolder, testFolder } from '@postern/testkit/folder.ts'
import { TestNode } from '@postern/testkit/node.ts'
import { type TestDatabase, testDatabase } from '@postern/testkit/postgres.ts'
import type { PostgresAddress } from '@postern/testkit/postgres-server.ts'
import { TestService } from '@postern/testkit/service.ts'
import pg from 'pg'
import { portOr } from '../demo/folder.ts'
import { loadSampleData } from '../demo/sample-data.ts'

/** As in the documentation, where it is free. */
const PORT = 7400
/** Too narrow for many a title: a copy into it fails, and says why. */
const NARROW_MOVIES = `create table movies (
  id integer primary key, title varchar(30), released_on date, rating text, genre text, director text,
  us_gross bigint, imdb_rating numeric(3, 1), imdb_votes integer)`

export type PlainDatabase = PostgresAddress & { readonly name: string }

export class TourWorld implements AsyncDisposable {
  readonly service: TestService
  readonly shop: PlainDatabase
  readonly warehouse: PlainDatabase
  readonly lake: string
  readonly #owner: TestDatabase
  readonly #folder: TestFolder
  readonly #nodes: TestNode[] = []

  private constructor(parts: { service: TestService; owner: TestDatabase; folder: TestFolder; password: string; lake: string }) {
    this.service = parts.service
    this.#owner = parts.owner
    this.#folder = parts.folder
    this.lake = parts.lake
    const { host, port } = parts.owner
    this.shop = { host, port, name: 'shop', user: 'reader', password: parts.password }
    this.warehouse = { host, port, name: 'warehouse', user: 'loader', password: parts.password }
  }

  /** `rows`: at most so many of each table. */
  static async make(rows: number): Promise<TourWorld> {
    const [owner, folder, port] = await Promise.all([testDatabase(), testFolder(), portOr(PORT)])
    const password = randomBytes(12).toString('base64url')
    const lake = join(folder.path, 'lake')
    await mkdir(lake)
    await clear(owner)
    for (const statement of [
      'create database shop',
      'create database warehouse',
      `create role reader login password '${password}' in role pg_read_all_data`,
      `create role loader login password '${password}'`,
      'alter database warehouse owner to loader',
    ])
      await owner.query(statement)
    const { host, user } = owner
    const admin = { host, port: owner.port, user, password: owner.password }
    await loadSampleData({ ...admin, database: 'shop' }, join(folder.path, 'sample-data'), rows)
    const service = await TestService.start({ port })
    const world = new TourWorld({ service, owner, folder, password, lake })
    await world.#prepareWarehouse()
    return world
  }

  /** Runs the machine of a node: with the key of the line that the portal shows, under a name that fits the picture. */
  async addNode(name: string, line: string): Promise<TestNode> {
    const key = /--key (\S+)/.exec(line)?.[1]
    if (key === undefined) throw new Error(`There is no key in: ${line}`)
    const node = await TestNode.start({ name, url: this.service.url, key })
    this.#nodes.push(node)
    return node
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node[Symbol.asyncDispose]()))
    await this.service[Symbol.asyncDispose]()
    await clear(this.#owner)
    await Promise.all([this.#owner[Symbol.asyncDispose](), this.#folder[Symbol.asyncDispose]()])
  }

  async #prepareWarehouse(): Promise<void> {
    const { name: database, ...login } = this.warehouse
    const loader = new pg.Client({ ...login, database })
    await loader.connect()
    await loader.query(NARROW_MOVIES)
    await loader.end()
  }
}

/** Also what a tour has left that was killed. */
async function clear(owner: TestDatabase): Promise<void> {
  for (const statement of [
    'drop database if exists shop with (force)',
    'drop database if exists warehouse with (force)',
    'drop role if exists reader',
    'drop role if exists loader',
  ])
    await owner.query(statement)
}
