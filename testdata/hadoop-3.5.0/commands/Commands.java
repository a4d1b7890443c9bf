// Runs command lines of Apache's tools, all in this one process, and prints what each answered.
//
// Argument: a file with one command a line, fields between tabs, bytes outside of printable ASCII as %XX:
//   user, standard input, main class, argument...
// Printed for each: "status length-of-stdout length-of-stderr\n" and the bytes of both.
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Permission;
import java.security.PrivilegedExceptionAction;
import java.util.Arrays;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.security.UserGroupInformation;

public class Commands {
  /** Thrown where a tool would end the process. */
  static class Exit extends SecurityException {
    static final long serialVersionUID = 1;
  }

  static Integer status;

  static void refuseToExit() {
    System.setSecurityManager(new SecurityManager() {
      @Override
      public void checkExit(int code) {
        if (status == null) {
          status = code;
        }
        throw new Exit();
      }

      @Override
      public void checkPermission(Permission permission) {}

      @Override
      public void checkPermission(Permission permission, Object context) {}
    });
  }

  /** As in a process of its own: some classes add files that FsShell then insists on. */
  @SuppressWarnings("unchecked")
  static void forgetAddedResources() throws ReflectiveOperationException {
    Field field = Configuration.class.getDeclaredField("defaultResources");
    field.setAccessible(true);
    List<String> names = (List<String>) field.get(null);
    names.retainAll(List.of("core-default.xml", "core-site.xml", "hdfs-default.xml", "hdfs-site.xml"));
  }

  static String plain(String field) {
    return URLDecoder.decode(field.replace("+", "%2B"), StandardCharsets.UTF_8);
  }

  static void call(String mainClass, String[] args) throws Exception {
    try {
      Class.forName(mainClass).getMethod("main", String[].class).invoke(null, (Object) args);
    } catch (InvocationTargetException thrown) {
      Throwable cause = thrown.getCause();
      if (!(cause instanceof Exit)) {
        // As the Java launcher prints what main throws.
        System.err.print("Exception in thread \"main\" ");
        cause.printStackTrace();
        status = status == null ? 1 : status;
      }
    }
  }

  public static void main(String[] args) throws Exception {
    PrintStream answers = new PrintStream(new FileOutputStream(FileDescriptor.out), false);
    PrintStream realErrors = System.err;
    refuseToExit();
    for (String line : Files.readAllLines(Path.of(args[0]))) {
      String[] fields = Arrays.stream(line.split("\t", -1)).map(Commands::plain).toArray(String[]::new);
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      ByteArrayOutputStream errors = new ByteArrayOutputStream();
      System.setIn(new ByteArrayInputStream(fields[1].getBytes(StandardCharsets.UTF_8)));
      System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
      System.setErr(new PrintStream(errors, true, StandardCharsets.UTF_8));
      status = null;
      forgetAddedResources();
      String[] rest = Arrays.copyOfRange(fields, 3, fields.length);
      UserGroupInformation user = UserGroupInformation.createRemoteUser(fields[0]);
      user.doAs((PrivilegedExceptionAction<Void>) () -> {
        call(fields[2], rest);
        // Settings of one command must not reach the next through a cached file system.
        FileSystem.closeAllForUGI(user);
        return null;
      });
      System.out.flush();
      System.err.flush();
      answers.printf("%d %d %d%n", status == null ? 0 : status & 255, out.size(), errors.size());
      out.writeTo(answers);
      errors.writeTo(answers);
      answers.flush();
    }
    System.setErr(realErrors);
    status = 0;
    Runtime.getRuntime().halt(0);
  }
}
