// Connects in one of Java's ways and says how it ended. Usage: java Ask plain|timeout|selector HOST PORT
import java.net.*;
import java.nio.channels.*;

class Ask {
    static void dial(String way, InetSocketAddress to) throws Exception {
        if (way.equals("selector")) {
            try (Selector selector = Selector.open(); SocketChannel channel = SocketChannel.open()) {
                channel.configureBlocking(false);
                if (channel.connect(to)) return;
                channel.register(selector, SelectionKey.OP_CONNECT);
                selector.select(30000);
                channel.finishConnect();
            }
            return;
        }
        try (Socket socket = new Socket()) {
            socket.connect(to, way.equals("timeout") ? 30000 : 0);
        }
    }

    public static void main(String[] words) {
        InetSocketAddress to = new InetSocketAddress(words[1], Integer.parseInt(words[2]));
        long began = System.nanoTime();
        String said = "connected";
        try {
            dial(words[0], to);
        } catch (Exception error) {
            said = error.getClass().getSimpleName() + " " + error.getMessage();
        }
        System.out.println("took " + (System.nanoTime() - began) / 1000000 + "\n" + said);
    }
}
