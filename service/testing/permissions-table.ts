/** Who may call what: read by people, and held against the server by permissions.real.test.ts. */

/**
 * yes   it is done, or fails for another reason than rights        no   403, which names the permission
 * -     404, as if there were no such thing (and where there is none)  3    a list of so many
 * open  for everybody                                              node for the signature of a node only
 *
 * There are gateways demo and other, stores shop, lake and four that are deleted here, all on demo. The columns: the four roles of the
 * whole service and `none`; gateway-admin of demo (gwadm) and of other; store-creator on demo (creat); store-owner of shop, and of the
 * store that it deletes; store-user of shop (suser); reader of shop (sread). All but the first come by service tokens.
 */
const TABLE = `
                                                          admin oper  user  reader none  gwadm other creat owner suser sread
GET    /healthz                                           open
GET    /readyz                                            open
GET    /metrics                                           open
GET    /openapi.json                                      open
GET    /v1/sign-in/ways                                   open
POST   /v1/sign-in                                        open
POST   /v1/sign-in/handover                               open
GET    /v1/oidc/:provider/start                           open
GET    /v1/oidc/:provider/callback                        open
POST   /v1/node/join                                      open
POST   /v1/node/beat                                      node
POST   /v1/node/goodbye                                   node
POST   /v1/node/leave                                     node
POST   /v1/node/gateway-key                               node
GET    /v1/node/hand-over/:asker                          node
POST   /v1/node/certificate                               node
GET    /v1/node/recovery                                  node
POST   /v1/node/recovery                                  node
GET    /v1/node/rotation                                  node
POST   /v1/node/rotation                                  node
POST   /v1/node/stores                                    node
GET    /v1/node/stores/:id                                node
POST   /v1/node/pull                                      node
POST   /v1/node/relay-dispatch                            node
POST   /v1/node/tasks/:task/attempts/:attempt/started     node
POST   /v1/node/tasks/:task/attempts/:attempt/progress    node
POST   /v1/node/tasks/:task/attempts/:attempt/finished    node
POST   /v1/node/bridge                                    node
GET    /v1/gateways                                       2     2     2     2      0     1     1     1     1     0     0
GET    /v1/gateways/:gateway                              yes   yes   yes   yes    -     yes   -     yes   yes   -     -
GET    /v1/gateways/:gateway/nodes                        4     4     4     4      -     4     -     4     no    -     -
GET    /v1/gateways/:gateway/nodes/:node                  yes   yes   yes   yes    -     yes   -     yes   no    -     -
GET    /v1/gateways/:gateway/nodes/:node/history          yes   yes   yes   yes    -     yes   -     yes   no    -     -
GET    /v1/histories                                      2     2     2     2      0     1     1     1     0     0     0
GET    /v1/store-kinds                                    5     5     5     5      5     5     5     5     5     5     5
GET    /v1/stores                                         6     6     6     6      0     6     0     0     2     1     1
GET    /v1/stores/:store                                  yes   yes   yes   yes    -     yes   -     -     yes   yes   yes
GET    /v1/queries                                        1     1     1     1      0     1     0     0     1     1     1
POST   /v1/stores/:store/query                            yes   yes   yes   no     -     yes   -     -     yes   yes   no
POST   /v1/stores/:store/test                             yes   yes   yes   no     -     yes   -     -     yes   yes   no
GET    /v1/stores/:store/catalog                          yes   yes   yes   no     -     yes   -     -     yes   yes   no
GET    /v1/queries/:query                                 yes   yes   yes   yes    -     yes   -     -     yes   yes   yes
GET    /v1/sessions                                       0     0     0     0      0     0     0     0     0     0     0
DELETE /v1/sessions/:session                              -     -     -     -      -     -     -     -     -     -     -
GET    /v1/runs                                           1     1     1     1      0     1     0     0     1     1     1
GET    /v1/runs/:run                                      yes   yes   yes   yes    -     yes   -     -     yes   yes   yes
POST   /v1/copies                                         yes   yes   yes   no     -     yes   -     -     yes   yes   no
POST   /v1/runs/:run/cancel                               yes   yes   yes   no     -     yes   -     -     yes   yes   no
POST   /v1/runs/:run/rerun                                yes   yes   yes   no     -     yes   -     -     yes   yes   no
POST   /v1/runs/:run/repair                               yes   yes   yes   no     -     yes   -     -     yes   yes   no
GET    /v1/events                                         yes   yes   yes   yes    yes   yes   yes   yes   yes   yes   yes
GET    /v1/roles                                          8     8     8     8      8     8     8     8     8     8     8
GET    /v1/grants                                         4     0     0     0      0     4     0     0     4     0     0
POST   /v1/grants                                         yes   no    no    no     -     yes   -     -     yes   no    no
DELETE /v1/grants/:grant                                  yes   -     -     -      -     yes   -     -     yes   -     -
GET    /v1/tokens                                         12    0     0     0      0     0     0     0     0     0     0
POST   /v1/tokens                                         yes   no    no    no     no    no    no    no    no    no    no
DELETE /v1/tokens/:token                                  yes   -     -     -      -     -     -     -     -     -     -
GET    /v1/people                                         2     no    no    no     no    no    no    no    no    no    no
POST   /v1/people                                         yes   no    no    no     no    no    no    no    no    no    no
GET    /v1/people/:person                                 yes   no    no    no     no    no    no    no    no    no    no
PATCH  /v1/people/:person                                 yes   no    no    no     no    no    no    no    no    no    no
POST   /v1/people/:person/password                        yes   no    no    no     no    no    no    no    no    no    no
GET    /v1/people/:person/sign-ins                        0     no    no    no     no    no    no    no    no    no    no
DELETE /v1/people/:person/sign-ins                        yes   no    no    no     no    no    no    no    no    no    no
DELETE /v1/people/:person                                 yes   no    no    no     no    no    no    no    no    no    no
GET    /v1/groups                                         2     no    no    no     no    no    no    no    no    no    no
POST   /v1/groups                                         yes   no    no    no     no    no    no    no    no    no    no
GET    /v1/groups/:group                                  yes   no    no    no     no    no    no    no    no    no    no
PATCH  /v1/groups/:group                                  yes   no    no    no     no    no    no    no    no    no    no
PUT    /v1/groups/:group/members/:member                  yes   no    no    no     no    no    no    no    no    no    no
DELETE /v1/groups/:group/members/:member                  yes   no    no    no     no    no    no    no    no    no    no
DELETE /v1/groups/:group                                  yes   no    no    no     no    no    no    no    no    no    no
PUT    /v1/oidc/:provider                                 yes   no    no    no     no    no    no    no    no    no    no
GET    /v1/oidc                                           1     no    no    no     no    no    no    no    no    no    no
GET    /v1/oidc/:provider                                 yes   no    no    no     no    no    no    no    no    no    no
DELETE /v1/oidc/:provider                                 yes   no    no    no     no    no    no    no    no    no    no
GET    /v1/sign-in/settings                               yes   no    no    no     no    no    no    no    no    no    no
PATCH  /v1/sign-in/settings                               yes   no    no    no     no    no    no    no    no    no    no
GET    /v1/sign-in                                        yes   yes   yes   yes    yes   yes   yes   yes   yes   yes   yes
DELETE /v1/sign-in                                        -     -     -     -     -     -     -     -     -     -     -
POST   /v1/sign-in/password                               -     -     -     -     -     -     -     -     -     -     -
GET    /v1/sign-ins                                       -     -     -     -     -     -     -     -     -     -     -
DELETE /v1/sign-ins                                       -     -     -     -     -     -     -     -     -     -     -
DELETE /v1/sign-ins/:signIn                               -     -     -     -     -     -     -     -     -     -     -
GET    /v1/audit                                          100   100   no    no     no    100   1     no    no    no    no
GET    /v1/audit/export                                   yes   yes   no    no     no    yes   yes   no    no    no    no
GET    /v1/audit/settings                                 yes   yes   no    no     no    no    no    no    no    no    no
PATCH  /v1/audit/settings                                 yes   no    no    no     no    no    no    no    no    no    no
POST   /v1/stores                                         yes   yes   no    no     -     yes   -     yes   no    -     -
PATCH  /v1/stores/:store                                  yes   yes   no    no     -     yes   -     -     yes   no    no
DELETE /v1/stores/:store                                  yes   yes   no    no     -     yes   -     -     yes   no    no
POST   /v1/gateways                                       yes   yes   no    no     no    no    no    no    no    no    no
PATCH  /v1/gateways/:gateway                              yes   yes   no    no     -     yes   -     no    no    -     -
GET    /v1/gateways/:gateway/keys                         yes   no    no    no     -     yes   -     no    no    -     -
POST   /v1/gateways/:gateway/keys/:slot                   yes   no    no    no     -     yes   -     no    no    -     -
POST   /v1/gateways/:gateway/rotate-key                   yes   no    no    no     -     yes   -     no    no    -     -
DELETE /v1/gateways/:gateway/recovery-key                 -     no    no    no     -     -     -     no    no    -     -
PATCH  /v1/gateways/:gateway/nodes/:node                  yes   yes   no    no     -     yes   -     no    no    -     -
POST   /v1/gateways/:gateway/nodes/:node/drain            yes   yes   no    no     -     yes   -     no    no    -     -
POST   /v1/gateways/:gateway/nodes/:node/enable           yes   yes   no    no     -     yes   -     no    no    -     -
POST   /v1/gateways/:gateway/nodes/:node/disable          yes   yes   no    no     -     yes   -     no    no    -     -
DELETE /v1/gateways/:gateway/nodes/:node                  yes   yes   no    no     -     yes   -     no    no    -     -
DELETE /v1/gateways/:gateway                              yes   yes   no    no     -     yes   -     no    no    -     -
`

const [head = '', ...lines] = TABLE.split('\n').filter((line) => line.trim() !== '')
export const COLUMNS = head.trim().split(/\s+/)
export const ROWS = lines.map((line) => {
  const [method = '', url = '', ...cells] = line.trim().split(/\s+/)
  return { method, url, cells }
})
