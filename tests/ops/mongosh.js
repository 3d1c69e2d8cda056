// What mongosh gives a script, with a server that answers as MongoDB does where the scripts of docker/mongodb ask it.
// Arguments: the script, and the state of the server as JSON. Prints the state as it is then.
const { readFileSync } = require("node:fs");
const vm = require("node:vm");

const [script, given] = process.argv.slice(2);
const state = { set: null, users: {}, roles: {}, shards: [], commands: [], ...JSON.parse(given) };

function refuse(code, message) {
  throw Object.assign(new Error(message), { code });
}

const answers = {
  hello: () => ({ primary: state.set && state.set.members[0].host }),
  replSetInitiate: ({ replSetInitiate }) => {
    if (state.set) refuse(23, "already initialized");
    state.set = replSetInitiate;
  },
  createUser: ({ createUser, ...user }) => {
    if (!state.set) refuse(10107, "not primary");
    if (createUser in state.users) refuse(51003, "user exists");
    state.users[createUser] = user;
  },
  updateUser: ({ updateUser, ...user }) => { state.users[updateUser] = user; },
  usersInfo: ({ usersInfo }) => ({ users: usersInfo in state.users ? [usersInfo] : [] }),
  rolesInfo: ({ rolesInfo }) => ({ roles: rolesInfo in state.roles ? [rolesInfo] : [] }),
  createRole: ({ createRole, ...role }) => {
    if (createRole in state.roles) refuse(51002, "role exists");
    state.roles[createRole] = role;
  },
  grantRolesToUser: ({ grantRolesToUser, roles }) => {
    if (!roles.every((role) => role in state.roles)) refuse(31, "no such role");
    const user = state.users[grantRolesToUser];
    user.roles = [...new Set([...user.roles, ...roles])];
  },
  addShard: ({ addShard }) => { if (!state.shards.includes(addShard)) state.shards.push(addShard); },
};

function connect(uri) {
  const login = /^mongodb:\/\/(?:(\w+):([^@]*)@)?([^/]+)\//.exec(uri);
  if (login[1] && (state.users[login[1]] || {}).pwd !== decodeURIComponent(login[2])) refuse(18, "authentication failed");
  const may = () => login[1] || (login[3] === "127.0.0.1:27017" && Object.keys(state.users).length === 0);
  return {
    adminCommand(command) {
      const name = Object.keys(command)[0];
      state.commands.push(name);
      if (name !== "hello" && !may()) refuse(13, "unauthorized");
      return { ok: 1, ...answers[name](command) };
    },
  };
}

const print = () => {}, sleep = () => {};
vm.runInNewContext(readFileSync(script, "utf8"), { connect, print, sleep, process, Error, encodeURIComponent });
console.log(JSON.stringify(state));
