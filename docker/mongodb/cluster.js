// Adds the shards to the cluster. Run by mongosh; safe to repeat.
//
// Environment: SHARDS (set/host:port,host:port set/host:port), MONGODB_ADMIN_PASSWORD.
const { SHARDS, MONGODB_ADMIN_PASSWORD } = process.env;

const cluster = connect(
  `mongodb://admin:${encodeURIComponent(MONGODB_ADMIN_PASSWORD)}@mongos:27017/admin`);
for (const shard of SHARDS.split(" ")) {
  cluster.adminCommand({ addShard: shard });
  print(`${shard} is a shard`);
}
