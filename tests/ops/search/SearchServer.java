// A search engine of one node in a folder: java -cp 'jars/*' SearchServer.java FOLDER PORT

import java.util.List;
import java.util.Map;
import org.opensearch.common.settings.Settings;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.node.Node;
import org.opensearch.transport.Netty4Plugin;

public class SearchServer {
    static class LocalNode extends Node {
        LocalNode(Settings settings) {
            super(
                InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), null, () -> "local"),
                List.of(Netty4Plugin.class),
                false);
        }
    }

    public static void main(String[] arguments) throws Exception {
        Settings settings = Settings.builder()
            .put("path.home", arguments[0])
            .put("http.port", arguments[1])
            .put("transport.port", "0")
            .put("network.host", "127.0.0.1")
            .put("discovery.type", "single-node")
            .put("http.type", "netty4")
            .put("transport.type", "netty4")
            .put("node.store.allow_mmap", false) // asks the kernel for more than a test may
            .put("cluster.routing.allocation.disk.threshold_enabled", false)
            .build();
        new LocalNode(settings).start();
        System.out.println("listening");
        Thread.currentThread().join();
    }
}
