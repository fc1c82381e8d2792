/** What sort of trouble it is. The kind decides HTTP status, CLI exit code and whether the runtime tries again. */
export type FaultKind = 'input' | 'denied' | 'missing' | 'conflict' | 'limit' | 'remote' | 'stopped' | 'bug'

interface FaultText {
  readonly kind: FaultKind
  readonly says: string
  readonly remedy: string
}

/** The one list of faults. `docs/reference/faults.md` is made from it, and a test says so. */
export const FAULTS = {
  // requests and settings
  INPUT_INVALID: { kind: 'input', says: 'The request is not valid.', remedy: 'Correct the named field and send it again.' },
  CONFIG_INVALID: { kind: 'input', says: 'The configuration is not valid.', remedy: 'Correct the named setting and start again.' },
  SETTING_UNKNOWN: { kind: 'input', says: 'There is no such setting.', remedy: 'Use one of the settings that the message lists.' },
  ROUTE_UNKNOWN: { kind: 'missing', says: 'There is nothing at this address.', remedy: 'See /docs for the routes that there are.' },
  BODY_TOO_LARGE: { kind: 'input', says: 'The request is larger than allowed.', remedy: 'Send less in one request.' },
  INTERNAL: {
    kind: 'bug',
    says: 'Something went wrong that should not have.',
    remedy: 'Look for the request id in the service log and report it with that line.',
  },
  CHANGED_MEANWHILE: {
    kind: 'conflict',
    says: 'Somebody else changed or deleted this at the same moment.',
    remedy: 'Look at it again, and try once more.',
  },
  STOPPING: { kind: 'stopped', says: 'This process is stopping.', remedy: 'Try again in a few seconds, or ask another one.' },
  TIMED_OUT: { kind: 'remote', says: 'It took longer than allowed.', remedy: 'Raise the time limit or ask for less.' },
  CANCELLED: { kind: 'stopped', says: 'It was cancelled.', remedy: 'None is needed.' },

  // service and machine
  PORT_TAKEN: {
    kind: 'conflict',
    says: 'The port is in use by another program.',
    remedy: 'Choose another port, or stop the program that has it.',
  },
  DATA_FOLDER_IN_USE: {
    kind: 'conflict',
    says: 'Another process uses this data folder.',
    remedy: 'Stop that process, or name another folder with --data.',
  },
  DATA_FOLDER_FOREIGN: {
    kind: 'conflict',
    says: 'This data folder belongs to something else.',
    remedy: 'Name another folder with --data.',
  },
  DISK_FULL: { kind: 'limit', says: 'There is no space left on the disk.', remedy: 'Free some space on the named disk and try again.' },
  FILE_DENIED: {
    kind: 'denied',
    says: 'The file system refused access.',
    remedy: 'Give the user that runs this process access to the path.',
  },
  DATABASE_UNREACHABLE: {
    kind: 'remote',
    says: "The service's own database did not answer.",
    remedy: 'Check --database-url, or the log of the embedded PostgreSQL in the data folder.',
  },
  DATABASE_TOO_NEW: {
    kind: 'conflict',
    says: 'The database was migrated by a newer version.',
    remedy: 'Start the newer version, or restore a backup.',
  },
  SERVICE_UNREACHABLE: {
    kind: 'remote',
    says: 'The service did not answer.',
    remedy: 'Check the URL, the network and any proxy from this machine.',
  },
  NOT_A_SERVICE: { kind: 'remote', says: 'What answered there is not a Postern service.', remedy: 'Check the URL.' },

  // people and programs
  TOKEN_MISSING: { kind: 'denied', says: 'No token was given.', remedy: 'Set POSTERN_TOKEN, or sign in with `postern login URL`.' },
  TOKEN_INVALID: { kind: 'denied', says: 'The token is not valid.', remedy: 'Use a token that exists and has not expired.' },
  NOT_ALLOWED: { kind: 'denied', says: 'You may not do this.', remedy: 'Ask an administrator for the permission that the message names.' },

  GROUP_UNKNOWN: { kind: 'missing', says: 'There is no such group.', remedy: 'See `postern group list`.' },
  GROUP_EXISTS: { kind: 'conflict', says: 'A group of this name exists.', remedy: 'Choose another name.' },
  GRANT_UNKNOWN: { kind: 'missing', says: 'Nothing of this id was given.', remedy: 'See `postern grant list`.' },
  TOKEN_UNKNOWN: { kind: 'missing', says: 'There is no such token.', remedy: 'See `postern token list`.' },
  TOO_MANY_TRIES: {
    kind: 'limit',
    says: 'There were too many wrong tries.',
    remedy: 'Wait as long as the message says, then try again.',
  },

  SIGN_IN_REFUSED: {
    kind: 'denied',
    says: 'Name or password is wrong.',
    remedy: 'Try again; an administrator can give a new password with `postern person reset NAME`.',
  },
  SIGN_INS_AT_LIMIT: { kind: 'limit', says: 'Too many people sign in at this moment.', remedy: 'Try again in a few seconds.' },
  SIGN_IN_UNKNOWN: { kind: 'missing', says: 'There is no such sign-in.', remedy: 'See `postern person sign-ins`.' },
  CROSS_SITE_REFUSED: {
    kind: 'denied',
    says: 'The request came from a page of another site.',
    remedy: 'Use the page at the public URL of the service (--public-url), or a token.',
  },
  PASSWORD_CHANGE_NEEDED: {
    kind: 'denied',
    says: 'This password is good for one sign-in only, and a new one must come with it.',
    remedy: 'Sign in with `postern login URL --name NAME`, which asks for a new one; or send `newPassword` too.',
  },
  PASSWORD_REFUSED: {
    kind: 'input',
    says: 'The new password will not do.',
    remedy: 'Take a longer one: four words that have nothing to do with each other.',
  },
  PASSWORD_NONE: {
    kind: 'conflict',
    says: 'This account has no password.',
    remedy: 'It signs in with its OpenID Connect provider; change the password there.',
  },
  PERSON_UNKNOWN: { kind: 'missing', says: 'There is no such person.', remedy: 'See `postern person list`.' },
  PERSON_EXISTS: { kind: 'conflict', says: 'A person of this name exists.', remedy: 'Choose another name.' },
  ADMINISTRATOR_LAST: {
    kind: 'conflict',
    says: 'Nobody else could administer the service.',
    remedy: 'Make another administrator first.',
  },
  OIDC_PROVIDER_UNKNOWN: { kind: 'missing', says: 'There is no such OpenID Connect provider.', remedy: 'See `postern oidc list`.' },
  OIDC_PROVIDER_UNREACHABLE: {
    kind: 'remote',
    says: 'The OpenID Connect provider did not answer as it should.',
    remedy: 'Check issuer, client id and secret, and that the service reaches it; its log says what came.',
  },
  OIDC_SECRET_MISSING: {
    kind: 'conflict',
    says: 'The secret of the OpenID Connect provider is not there.',
    remedy: 'Set the named variable or file on every machine of the service, and restart it.',
  },
  OIDC_REFUSED: {
    kind: 'denied',
    says: 'The sign-in at the OpenID Connect provider did not hold.',
    remedy: 'Begin again. If it goes on, ask an administrator to look for the request id in the log.',
  },
  OIDC_NOT_ADMITTED: {
    kind: 'denied',
    says: 'You are known there, but not admitted here.',
    remedy: 'Ask an administrator to admit one of your groups or your domain.',
  },

  // gateways and nodes
  GATEWAY_UNKNOWN: { kind: 'missing', says: 'There is no such gateway.', remedy: 'See `postern gateway list`.' },
  GATEWAY_EXISTS: { kind: 'conflict', says: 'A gateway of this name exists.', remedy: 'Choose another name.' },
  GATEWAY_IN_USE: { kind: 'conflict', says: 'The gateway still has stores or nodes.', remedy: 'Delete those first.' },
  GATEWAY_KEY_MISSING: {
    kind: 'conflict',
    says: 'The gateway has no key to seal credentials to yet.',
    remedy: 'Join its first node, start it, and try again.',
  },
  GATEWAY_KEY_CHANGED: {
    kind: 'denied',
    says: "The gateway's key is not the one this machine knows.",
    remedy: 'Compare it with the fingerprint that a node shows; if that is the same, say so with `postern gateway trust NAME`.',
  },
  KEY_INVALID: {
    kind: 'denied',
    says: 'The authentication key is not valid.',
    remedy: 'Copy the whole key, or make a new one with `postern gateway keys NAME --regenerate 1`.',
  },
  GATEWAY_KEY_ROTATED: {
    kind: 'conflict',
    says: 'The key of the gateway was rotated meanwhile.',
    remedy: 'Try again: it is sealed to the new key then.',
  },
  ROTATION_REFUSED: {
    kind: 'conflict',
    says: "The gateway's key cannot be rotated now. Nothing was changed.",
    remedy:
      'See `postern node list GATEWAY`: all nodes that are online must have the key and reach each other on the channel. Then try again.',
  },
  RECOVERY_KEY_MISSING: {
    kind: 'missing',
    says: 'The gateway has no recovery key.',
    remedy: 'Make one with `postern node recovery-key` on the machine of a node that has the gateway’s key.',
  },
  RECOVERY_KEY_WRONG: {
    kind: 'denied',
    says: 'This is not the recovery key of the gateway.',
    remedy: 'Type the key that `postern node recovery-key` showed last: an older one opens nothing any more. Then join again.',
  },
  RECOVERY_KEY_INVALID: {
    kind: 'input',
    says: 'This is not a recovery key: it is cut short or mistyped.',
    remedy: 'Type all nine groups of four characters, as they were shown.',
  },
  RECOVERY_KEY_NOT_CONFIRMED: {
    kind: 'input',
    says: 'What was typed back is not the recovery key that was shown.',
    remedy: 'Nothing was changed: an earlier recovery key is still good. Begin anew, and write the key down.',
  },
  HAND_OVER_REFUSED: {
    kind: 'denied',
    says: "A node did not prove that it may have the gateway's key.",
    remedy: 'Join it again with an authentication key of today (`postern gateway keys NAME --regenerate 1`), or with --recovery-key.',
  },
  NODE_UNKNOWN: { kind: 'missing', says: 'There is no such node.', remedy: 'See `postern node list GATEWAY`.' },
  NODE_NAME_TAKEN: {
    kind: 'conflict',
    says: 'A node of this name is alive in the gateway.',
    remedy: 'Choose another with --name, or delete that node first.',
  },
  NODE_DELETED: { kind: 'denied', says: 'This node was deleted from its gateway.', remedy: 'Join it again with an authentication key.' },
  NODE_NOT_JOINED: {
    kind: 'conflict',
    says: 'This data folder holds no joined node.',
    remedy: 'Run `postern node join` with the same --data first.',
  },
  NODE_ALREADY_JOINED: {
    kind: 'conflict',
    says: 'This data folder holds a node of another gateway.',
    remedy: 'Repeat it with --move to move the node to the other gateway, or name another folder with --data.',
  },
  NODE_PROOF_INVALID: {
    kind: 'denied',
    says: "The node's signature was not accepted.",
    remedy: "Check the node machine's clock; if it is right, join the node again.",
  },
  NODE_LINKED_ALREADY: {
    kind: 'conflict',
    says: 'The node is linked to this replica already, and asked for another one.',
    remedy: 'None: it dials again until the balancer brings it to another replica.',
  },
  TICKET_UNKNOWN: {
    kind: 'missing',
    says: 'The ticket of the connection is not known here: used, too old, or of another replica.',
    remedy: 'None: the connection goes over the link instead.',
  },
  NODE_NOT_RUNNING: {
    kind: 'remote',
    says: 'No node runs here that answers.',
    remedy: 'Start it: `postern node start` with the same --data.',
  },
  CONSOLE_DENIED: {
    kind: 'denied',
    says: "The node's console asks for a pass.",
    remedy: 'Run `postern node console` on its machine, as the user that may read its data folder, and open the address that it prints.',
  },
  NODE_CUT_OFF: {
    kind: 'stopped',
    says: 'This node has not heard from its service for longer than its grace period.',
    remedy: 'Mend the connection between node and service, or give the gateway a longer graceSeconds.',
  },
  PLACE_NOT_SHARED: {
    kind: 'input',
    says: 'The nodes of the gateway do not see the same place.',
    remedy:
      'Name what all nodes see: a share (\\\\server\\files, an NFS mount) instead of a local folder, a host name instead of localhost. Or let one node run the copy: --node NAME.',
  },
  NODE_OFFLINE: { kind: 'remote', says: 'The node has no live link.', remedy: 'Start the node, or look at its log.' },
  NO_NODE_AVAILABLE: {
    kind: 'remote',
    says: 'No node of the gateway can take this now.',
    remedy: 'See `postern node list GATEWAY` for each node and its reasons.',
  },
  GATEWAY_AT_LIMIT: {
    kind: 'limit',
    says: "The gateway you selected can't establish data source connections because it's exceeded the concurrency limit set by your gateway admin. Try again later, or ask your gateway admin to increase the limit.",
    remedy: 'Try again later, or raise queryConcurrency or queueTimeoutMs with `postern gateway set`.',
  },
  GATEWAY_AT_CPU_LIMIT: {
    kind: 'limit',
    says: "The gateway you selected can't establish data source connections because it's exceeded the CPU limit set by your gateway admin. Try again later, or ask your gateway admin to increase the limit.",
    remedy: 'Try again later, or raise cpuPercent or queueTimeoutMs with `postern gateway set`.',
  },
  GATEWAY_AT_MEMORY_LIMIT: {
    kind: 'limit',
    says: "The gateway you selected can't establish data source connections because it's exceeded the memory limit set by your gateway admin. Try again later, or ask your gateway admin to increase the limit.",
    remedy: 'Try again later, or raise memoryPercent or queueTimeoutMs with `postern gateway set`.',
  },
  GATEWAY_QUEUE_FULL: {
    kind: 'limit',
    says: 'As many queries wait for a place on this gateway already as may wait.',
    remedy: 'Try again later, or raise queryConcurrency with `postern gateway set`, or add nodes.',
  },
  CALLER_QUEUE_FULL: {
    kind: 'limit',
    says: 'As many queries of this caller wait for a place on this gateway already as one caller may have waiting.',
    remedy: 'Ask for less at a time, or try again later.',
  },
  LEASE_LOST: { kind: 'conflict', says: 'Another holder has the lease.', remedy: 'None is needed: the work goes on at its new holder.' },
  ATTEMPT_STALE: { kind: 'conflict', says: 'A newer attempt of this task exists.', remedy: 'None is needed: the newer attempt goes on.' },
  CHANNEL_BROKEN: {
    kind: 'remote',
    says: 'The other node did not answer on the channel.',
    remedy: 'Open the channel port (8050) between the nodes.',
  },
  CHANNEL_CERTIFICATE: {
    kind: 'input',
    says: "The certificate for the node's channel cannot be used.",
    remedy:
      'Give --channel-cert, --channel-key and --channel-ca: PEM files of a certificate that is valid now, names this node, and ends at the CA.',
  },
  BRIDGE_BROKEN: {
    kind: 'remote',
    says: 'The stream between the two gateways broke.',
    remedy: 'None is needed: the task is tried again. If it goes on, see whether the nodes of both gateways are online.',
  },

  // stores and queries
  STORE_UNKNOWN: { kind: 'missing', says: 'There is no such store.', remedy: 'See `postern store list`.' },
  STORE_EXISTS: { kind: 'conflict', says: 'A store of this name exists.', remedy: 'Choose another name.' },
  STORE_KIND_UNKNOWN: { kind: 'input', says: 'There is no such kind of store.', remedy: 'Use one of the kinds that the message lists.' },
  STORE_SETTINGS_INVALID: { kind: 'input', says: 'The settings of the store are not valid.', remedy: 'Correct the named setting.' },
  STORE_SECRET_IN_CLEAR: {
    kind: 'input',
    says: 'A secret must not be sent in clear.',
    remedy: 'Give it with --secret, so that it is sealed before it leaves your machine.',
  },
  HOST_DENIED: {
    kind: 'denied',
    says: 'The node does not connect to this address: it is link-local, or a cloud keeps its metadata there.',
    remedy: "Correct the store's host; if it is right, start the node with --allow-host for it.",
  },
  STORE_UNREACHABLE: {
    kind: 'remote',
    says: 'The store did not answer.',
    remedy: 'Check host, port and firewall from the node, not from your desk.',
  },
  STORE_DENIED: {
    kind: 'denied',
    says: 'The store refused the sign-in.',
    remedy: 'Check user, password and database, and set the credential again.',
  },
  STORE_LOST: {
    kind: 'remote',
    says: 'The connection to the store broke.',
    remedy: 'Check that the store is up; the work is tried again where that is safe.',
  },
  STORE_BUSY: {
    kind: 'limit',
    says: 'The store takes no more connections.',
    remedy: 'Raise its connection limit, or lower the concurrency of the gateway.',
  },
  CREDENTIAL_UNREADABLE: {
    kind: 'conflict',
    says: 'The node cannot open the credential of this store.',
    remedy: 'Set the credential again, with the same host and port that the store has.',
  },
  REFERENCE_INVALID: {
    kind: 'input',
    says: 'This is no reference to a secret.',
    remedy: 'Write env:POSTERN_REF_NAME, file:NAME or vault:MOUNT/data/PATH#FIELD.',
  },
  REFERENCE_DENIED: {
    kind: 'denied',
    says: 'The node does not let stores use this reference.',
    remedy: 'See docs/references.md for what a node lets stores refer to, and how its administrator allows more.',
  },
  REFERENCE_MISSING: {
    kind: 'missing',
    says: 'What the reference names is not there on the node.',
    remedy: 'Put it there on every node of the gateway: the variable, the file, or the field in Vault.',
  },
  REFERENCE_UNREACHABLE: {
    kind: 'remote',
    says: 'The node could not read the secret that the store refers to.',
    remedy: 'Check from the node that Vault is up, unsealed and reached at VAULT_ADDR.',
  },
  VAULT_DENIED: {
    kind: 'denied',
    says: "Vault refused the node's token or role.",
    remedy: 'Give the node a token (VAULT_TOKEN_FILE) or an AppRole (VAULT_ROLE_ID, VAULT_SECRET_ID) whose policy may read the path.',
  },
  VAULT_UNTRUSTED: {
    kind: 'denied',
    says: 'The node does not trust the certificate that Vault shows.',
    remedy: 'Name the PEM file of the CA that issued it in VAULT_CACERT, and in VAULT_ADDR a host that it is made out to.',
  },
  QUERY_UNKNOWN: {
    kind: 'missing',
    says: 'There is no such query.',
    remedy: 'See GET /v1/queries; old ones are deleted after their retention.',
  },
  QUERY_FAILED: {
    kind: 'input',
    says: 'The store refused the statement.',
    remedy: 'Correct the statement; the store said what is wrong with it.',
  },
  QUERY_UNSUPPORTED: {
    kind: 'input',
    says: 'This store does not answer queries.',
    remedy: 'Query a store that has SQL, or copy the data to one.',
  },
  QUERY_TOO_MANY_ROWS: {
    kind: 'input',
    says: 'The result has more rows than is allowed; it was cut.',
    remedy: 'Ask for fewer rows, with LIMIT or maxRows, or have the named limit raised. A statement that writes may have been carried out.',
  },
  QUERY_TOO_LARGE: {
    kind: 'input',
    says: 'The result has more bytes than is allowed; it was cut.',
    remedy: 'Ask for fewer rows or columns, or have the named limit raised. A statement that writes may have been carried out.',
  },
  TOO_MANY_QUERIES: {
    kind: 'limit',
    says: 'More queries run at a time than is allowed.',
    remedy: 'Wait until one of them has ended, or have the named limit raised.',
  },
  QUERY_READ_ONLY: {
    kind: 'denied',
    says: 'The statement would change data, and the query is read-only.',
    remedy: 'Ask with mode "write" (`--write` at the command line) if you mean it.',
  },

  // connections of the stores' own protocols
  WIRE_UNSUPPORTED: {
    kind: 'input',
    says: "This store does not speak PostgreSQL's protocol.",
    remedy: 'Use `postern connect STORE`, which speaks the protocol of the store, or `postern query`.',
  },
  CONNECT_UNSUPPORTED: {
    kind: 'input',
    says: 'This store has no host and port to connect to.',
    remedy: 'Use `postern query` or `postern copy`.',
  },
  WIRE_INVALID: {
    kind: 'input',
    says: "This is not PostgreSQL's protocol in version 3.",
    remedy: 'Connect with a driver or program for PostgreSQL.',
  },
  TLS_REQUIRED: {
    kind: 'denied',
    says: 'A token is not taken over a connection without TLS.',
    remedy: 'Connect with sslmode=require.',
  },
  SESSIONS_AT_LIMIT: {
    kind: 'limit',
    says: 'There are too many open connections.',
    remedy: 'Close some, or raise the limit that the message names.',
  },
  SESSION_UNKNOWN: {
    kind: 'missing',
    says: 'There is no such open connection.',
    remedy: 'See `postern session list`.',
  },
  SESSION_ENDED: {
    kind: 'stopped',
    says: 'The connection was ended.',
    remedy: 'Connect again.',
  },

  // copies
  TABLE_MISSING: { kind: 'missing', says: 'There is no such table.', remedy: 'See `postern store browse NAME` for the tables there are.' },
  TABLE_EXISTS: {
    kind: 'conflict',
    says: 'The target exists and its shape does not fit.',
    remedy: 'Name another target, or copy with --mode overwrite.',
  },
  COLUMN_MISMATCH: {
    kind: 'input',
    says: 'Source and target columns do not fit.',
    remedy: 'Select and name the columns in --from "(select ...)".',
  },
  FILE_MISSING: { kind: 'missing', says: 'No file matches the path.', remedy: 'See `postern store browse NAME` for what is there.' },
  FILE_EXISTS: {
    kind: 'conflict',
    says: 'There is a file or a finished copy at the target already.',
    remedy: 'Name another path, or copy with --mode overwrite.',
  },
  FORMAT_UNKNOWN: {
    kind: 'input',
    says: 'The file format is not known.',
    remedy: 'End the path in .csv, .tsv, .ndjson or .parquet, with .gz or .zst if compressed.',
  },
  PATH_OUTSIDE: {
    kind: 'denied',
    says: "The path leads out of the store's folder.",
    remedy: 'Use a path below the folder of the store, without "..".',
  },
  ROW_INVALID: {
    kind: 'input',
    says: 'A row could not be read or written.',
    remedy: 'Correct the row at the named place and run it again.',
  },
  COPY_UNSUPPORTED: {
    kind: 'input',
    says: 'This pair of stores cannot be copied in this way.',
    remedy: 'See docs/copies.md for what each store can do.',
  },
  GUARANTEE_IMPOSSIBLE: {
    kind: 'input',
    says: 'These stores cannot give the guarantee that was asked for.',
    remedy: 'See the message for what is missing, or ask for at-least-once.',
  },
  SNAPSHOT_LOST: {
    kind: 'remote',
    says: "The source's snapshot is gone.",
    remedy: 'None is needed: a new one is taken and the run goes on.',
  },
  COMMIT_LOST: { kind: 'conflict', says: 'Another attempt has committed this task.', remedy: 'None is needed: the rows are there once.' },
  VERIFICATION_FAILED: {
    kind: 'conflict',
    says: 'Source and target differ after the copy.',
    remedy: 'See the verification report of the run for where they differ.',
  },
  RUN_UNKNOWN: { kind: 'missing', says: 'There is no such run.', remedy: 'See `postern run list`.' },
  RUN_FINISHED: { kind: 'conflict', says: 'The run has ended already.', remedy: 'Start it again with `postern run rerun ID`.' },
  RIGHTS_WITHDRAWN: {
    kind: 'denied',
    says: 'It was ended: who it ran for may not do it any more.',
    remedy: 'Ask an administrator. Who has the rights goes on with a copy: `postern run rerun ID`.',
  },
  RUN_ACTIVE: { kind: 'conflict', says: 'The run is still going on.', remedy: 'Wait for it, or cancel it first.' },
} as const satisfies Record<string, FaultText>

export type FaultCode = keyof typeof FAULTS
export type FaultDetails = Readonly<Record<string, string | number | boolean>>

export const HTTP_STATUS = {
  input: 400,
  denied: 403,
  missing: 404,
  conflict: 409,
  limit: 429,
  remote: 502,
  stopped: 503,
  bug: 500,
} as const satisfies Record<FaultKind, number>

/** Exit codes of the command line: 0 done, 1 failed, 2 bad input, 3 not found, 4 denied, 5 unreachable, 6 limit. */
export const EXIT_CODE = {
  input: 2,
  denied: 4,
  missing: 3,
  conflict: 1,
  limit: 6,
  remote: 5,
  stopped: 5,
  bug: 1,
} as const satisfies Record<FaultKind, number>

/** What may cross a process boundary: the cause stays at home, in the log. */
export interface FaultJson {
  readonly code: FaultCode
  /** One line: what went wrong and where. */
  readonly message: string
  readonly remedy: string
  readonly details: FaultDetails
}

interface FaultOptions {
  /** Where it happened, in words for a person: "table public.orders, line 3". Never a secret. */
  readonly at?: string
  readonly details?: FaultDetails
  readonly remedy?: string
  readonly cause?: unknown
}

/** The only error that people and programs outside a process get to see. */
export class Fault extends Error {
  override readonly name = 'Fault'
  readonly code: FaultCode
  readonly remedy: string
  /** Safe to show and to log; never a credential, never a row. */
  readonly details: FaultDetails

  constructor(code: FaultCode, options: FaultOptions = {}) {
    super(options.at ? `${FAULTS[code].says} ${options.at}` : FAULTS[code].says, { cause: options.cause })
    this.code = code
    this.remedy = options.remedy ?? FAULTS[code].remedy
    this.details = options.details ?? {}
  }

  get kind(): FaultKind {
    return FAULTS[this.code].kind
  }

  /** True for faults that can pass by themselves; nothing else is tried again. */
  get canPass(): boolean {
    return this.kind === 'remote' || this.kind === 'limit' || this.kind === 'stopped'
  }

  toJSON(): FaultJson {
    return { code: this.code, message: this.message, remedy: this.remedy, details: this.details }
  }

  /** A fault as another process sent it. A code that this version does not know becomes INTERNAL, its text is kept. */
  static fromJson(json: { code: string; message: string; remedy?: string | undefined; details?: FaultDetails | undefined }): Fault {
    const known = Object.hasOwn(FAULTS, json.code)
    const fault = new Fault(known ? (json.code as FaultCode) : 'INTERNAL', {
      details: json.details ?? {},
      ...(json.remedy === undefined ? {} : { remedy: json.remedy }),
    })
    fault.message = json.message
    return fault
  }

  /** Any thrown value as a fault: faults as they are, aborts as CANCELLED or TIMED_OUT, the rest as INTERNAL. */
  static from(thrown: unknown): Fault {
    if (thrown instanceof Fault) return thrown
    const name = thrown instanceof Error ? thrown.name : ''
    if (name === 'TimeoutError') return new Fault('TIMED_OUT', { cause: thrown })
    if (name === 'AbortError') return new Fault('CANCELLED', { cause: thrown })
    return new Fault('INTERNAL', { cause: thrown })
  }
}
