// A replica set with the users of the shop. Run by mongosh beside its first member; safe to repeat.
//
// Environment: SET, MEMBERS (host:port,host:port), CONFIG_SERVERS (true for the config servers of a cluster),
// MONGODB_ADMIN_PASSWORD and MONGODB_PASSWORD: of the users `admin` and `shop`. MONGODB_BACKUP_PASSWORD: of `backup`,
// who makes dumps; empty for no such user.
const { SET, MEMBERS, CONFIG_SERVERS, MONGODB_ADMIN_PASSWORD, MONGODB_PASSWORD, MONGODB_BACKUP_PASSWORD } = process.env;
const UNAUTHORIZED = 13, ALREADY_INITIALIZED = 23, USER_EXISTS = 51003;

const set = { _id: SET, members: [] };
if (CONFIG_SERVERS) set.configsvr = true;
for (const host of MEMBERS.split(",")) {
  // The first one leads while it can: it is where the first user is made.
  set.members.push({ _id: set.members.length, host, priority: set.members.length ? 1 : 2 });
}

// As long as there is no user, whoever calls from the machine itself may do this, and make the first one.
const here = connect("mongodb://127.0.0.1:27017/admin?directConnection=true");
try {
  here.adminCommand({ replSetInitiate: set });
} catch (fault) {
  if (fault.code !== ALREADY_INITIALIZED && fault.code !== UNAUTHORIZED) throw fault;
}
for (let tries = 0; !here.adminCommand({ hello: 1 }).primary; tries++) {
  if (tries === 120) throw new Error(`${SET} has no primary after a minute`);
  sleep(500);
}
try {
  here.adminCommand({ createUser: "admin", pwd: MONGODB_ADMIN_PASSWORD, roles: ["root"] });
} catch (fault) {
  if (fault.code !== UNAUTHORIZED && fault.code !== USER_EXISTS) throw fault;
}

const admin = connect(
  `mongodb://admin:${encodeURIComponent(MONGODB_ADMIN_PASSWORD)}@${MEMBERS}/admin?replicaSet=${SET}`);
function setUser(name, pwd, roles) {
  const known = admin.adminCommand({ usersInfo: name }).users.length > 0;
  admin.adminCommand({ [known ? "updateUser" : "createUser"]: name, pwd, roles });
}

setUser("shop", MONGODB_PASSWORD,
  [{ role: "readWrite", db: "ecommerce" }, { role: "clusterManager", db: "admin" }]);
if (MONGODB_BACKUP_PASSWORD) setUser("backup", MONGODB_BACKUP_PASSWORD, ["backup"]);
// Who brings a dump back replays its oplog, and no role of MongoDB's own, not even root, allows all of that.
if (!admin.adminCommand({ rolesInfo: "replay" }).roles.length) {
  const privileges = [{ resource: { anyResource: true }, actions: ["anyAction"] }];
  admin.adminCommand({ createRole: "replay", privileges, roles: [] });
}
admin.adminCommand({ grantRolesToUser: "admin", roles: ["replay"] });
print(`${SET}: ${set.members.length} members, users admin, shop${MONGODB_BACKUP_PASSWORD ? " and backup" : ""}`);
