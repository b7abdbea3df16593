import de.bwaldvogel.mongo.MongoBackend;
import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.wire.message.MongoMessage;
import java.util.List;

/** MongoDB's wire protocol for tests: {@code MongoTestServer PORT [FILE]}. Prints "listening" when it does. */
public class MongoTestServer {
    public static void main(String[] arguments) throws InterruptedException {
        MongoBackend backend = arguments.length > 1 ? new FileBackend(arguments[1]) : new MemoryBackend();
        MongoServer server = new MongoServer(backend.version(new NewEnough()));
        Runtime.getRuntime().addShutdownHook(new Thread(server::shutdown));
        server.bind("127.0.0.1", Integer.parseInt(arguments[0]));
        System.out.println("listening");
        Thread.sleep(Long.MAX_VALUE);
    }

    /** What a client was told is in the file: H2 alone writes once a second, so that a kill would lose the last writes. */
    private static class FileBackend extends H2Backend {
        FileBackend(String file) {
            super(file);
        }

        @Override
        public Document handleMessage(MongoMessage message) {
            Document answer = super.handleMessage(message);
            commit();
            return answer;
        }
    }

    /** Today's drivers refuse the wire version that the library names by default. */
    private static class NewEnough implements MongoVersion {
        @Override
        public List<Integer> getVersionArray() {
            return List.of(6, 0, 0);
        }

        @Override
        public int getWireVersion() {
            return 17;
        }
    }
}
