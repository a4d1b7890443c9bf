// Writes the files whose `-text` is compared: SequenceFiles of every compression, codec files, Avro files.
import java.io.File;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.*;
import org.apache.avro.Schema;
import org.apache.avro.file.CodecFactory;
import org.apache.avro.file.DataFileWriter;
import org.apache.avro.generic.*;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.*;
import org.apache.hadoop.io.*;
import org.apache.hadoop.io.SequenceFile.CompressionType;
import org.apache.hadoop.io.compress.*;
import org.apache.hadoop.util.ReflectionUtils;

public class TextFiles {
  static final Configuration conf = new Configuration();
  static String dir;

  static void sequence(String name, CompressionType type, Class<? extends CompressionCodec> codec, Object[][] pairs) throws Exception {
    CompressionCodec with = codec == null ? new DefaultCodec() : ReflectionUtils.newInstance(codec, conf);
    if (codec == null) ((DefaultCodec) with).setConf(conf);
    SequenceFile.Metadata metadata = new SequenceFile.Metadata();
    metadata.set(new Text("who"), new Text("nobody"));
    try (SequenceFile.Writer w = SequenceFile.createWriter(conf, SequenceFile.Writer.file(new Path("file://" + dir + "/" + name)),
        SequenceFile.Writer.keyClass(pairs[0][0].getClass()), SequenceFile.Writer.valueClass(pairs[0][1].getClass()),
        SequenceFile.Writer.compression(type, with), SequenceFile.Writer.metadata(metadata))) {
      for (Object[] pair : pairs) w.append(pair[0], pair[1]);
    }
  }

  static Object[][] many(int n) {
    Object[][] pairs = new Object[n][];
    for (int i = 0; i < n; i++) pairs[i] = new Object[] {new IntWritable(i), new Text("value " + i * i)};
    return pairs;
  }

  static Object[][] p(Object... flat) {
    Object[][] pairs = new Object[flat.length / 2][];
    for (int i = 0; i < pairs.length; i++) pairs[i] = new Object[] {flat[2 * i], flat[2 * i + 1]};
    return pairs;
  }

  static void compressed(String name, Class<? extends CompressionCodec> codec, byte[] bytes) throws Exception {
    CompressionCodec with = ReflectionUtils.newInstance(codec, conf);
    try (OutputStream out = with.createOutputStream(new java.io.FileOutputStream(dir + "/" + name))) { out.write(bytes); }
  }

  static void avro(String name, CodecFactory codec, Schema schema, Object... data) throws Exception {
    try (DataFileWriter<Object> w = new DataFileWriter<>(new GenericDatumWriter<>(schema))) {
      if (codec != null) w.setCodec(codec);
      w.create(schema, new File(dir, name));
      for (Object datum : data) w.append(datum);
    }
  }

  public static void main(String[] args) throws Exception {
    dir = args[0];
    sequence("plain.seq", CompressionType.NONE, null, many(150));
    sequence("record.seq", CompressionType.RECORD, null, many(30));
    sequence("block.seq", CompressionType.BLOCK, null, many(300));
    sequence("bzip2.seq", CompressionType.BLOCK, BZip2Codec.class, many(300));
    sequence("snappy.seq", CompressionType.BLOCK, SnappyCodec.class, many(300));
    sequence("snappyrecord.seq", CompressionType.RECORD, SnappyCodec.class, many(20));
    sequence("doubles.seq", CompressionType.NONE, null, p(
        new LongWritable(-5), new DoubleWritable(1), new LongWritable(Long.MAX_VALUE), new DoubleWritable(1e7),
        new LongWritable(1), new DoubleWritable(0.001), new LongWritable(2), new DoubleWritable(0.00012), new LongWritable(3), new DoubleWritable(-1234567.25),
        new LongWritable(4), new DoubleWritable(Double.NaN), new LongWritable(5), new DoubleWritable(-1.0 / 0), new LongWritable(6), new DoubleWritable(1.5e300),
        new LongWritable(7), new DoubleWritable(-0.0), new LongWritable(8), new DoubleWritable(100), new LongWritable(9), new DoubleWritable(0.1)));
    sequence("floats.seq", CompressionType.NONE, null, p(new ShortWritable((short) -3), new FloatWritable(3.14f), new ShortWritable((short) 9), new FloatWritable(1e10f), new ShortWritable((short) 9), new FloatWritable(0.1f)));
    sequence("bytes.seq", CompressionType.NONE, null, p(new BytesWritable(new byte[] {1, -1, 16}), new BooleanWritable(true), new BytesWritable(new byte[0]), new BooleanWritable(false)));
    sequence("ints.seq", CompressionType.NONE, null, p(new VIntWritable(-113), new VLongWritable(1L << 40), new VIntWritable(127), new VLongWritable(-(1L << 40)), new VIntWritable(300), new VLongWritable(0)));
    sequence("odd.seq", CompressionType.NONE, null, p(new ByteWritable((byte) -7), NullWritable.get(), new ByteWritable((byte) 8), NullWritable.get()));
    MapWritable inner = new MapWritable(); inner.put(new Text("k"), new IntWritable(1));
    sequence("map.seq", CompressionType.NONE, null, p(MD5Hash.digest("x"), inner));
    sequence("text.seq", CompressionType.NONE, null, p(new Text("\u00e4\n\u20ac"), new Text("")));
    byte[] text = new byte[70_000];
    for (int i = 0; i < text.length; i++) text[i] = (byte) (i % 61 == 60 ? '\n' : 'a' + (i / 7 + i * i) % 26);
    compressed("file.bz2", BZip2Codec.class, Arrays.copyOf(text, 2_000));
    compressed("file.deflate", DefaultCodec.class, Arrays.copyOf(text, 2_000));
    compressed("file.gz", GzipCodec.class, Arrays.copyOf(text, 2_000));
    compressed("file.snappy", SnappyCodec.class, text);
    compressed("empty.snappy", SnappyCodec.class, new byte[0]);
    Schema schema = new Schema.Parser().parse("{\"type\":\"record\",\"name\":\"All\",\"namespace\":\"a.b\",\"fields\":["
        + "{\"name\":\"i\",\"type\":\"int\"},{\"name\":\"l\",\"type\":\"long\"},{\"name\":\"f\",\"type\":\"float\"},{\"name\":\"d\",\"type\":\"double\"},"
        + "{\"name\":\"z\",\"type\":\"boolean\"},{\"name\":\"s\",\"type\":\"string\"},{\"name\":\"b\",\"type\":\"bytes\"},{\"name\":\"n\",\"type\":\"null\"},"
        + "{\"name\":\"x\",\"type\":{\"type\":\"fixed\",\"name\":\"Two\",\"size\":2}},{\"name\":\"e\",\"type\":{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"P\",\"Q\"]}},"
        + "{\"name\":\"a\",\"type\":{\"type\":\"array\",\"items\":\"int\"}},{\"name\":\"m\",\"type\":{\"type\":\"map\",\"values\":\"long\"}},"
        + "{\"name\":\"u\",\"type\":[\"null\",\"string\",\"Two\",{\"type\":\"record\",\"name\":\"In\",\"namespace\":\"c\",\"fields\":[{\"name\":\"t\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}}]}]},"
        + "{\"name\":\"next\",\"type\":[\"null\",\"All\"]}]}");
    GenericRecord last = null;
    List<Object> data = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      GenericRecord r = new GenericData.Record(schema);
      r.put("i", i - 2); r.put("l", 1L << (i * 15)); r.put("f", i == 3 ? Float.NaN : 0.1f * i); r.put("d", i == 3 ? Double.NEGATIVE_INFINITY : Math.pow(10, i * 4 - 6));
      r.put("z", i % 2 == 0); r.put("s", "q\"\\\u00e4\u20ac\n\t\u0001/" + i); r.put("b", ByteBuffer.wrap(new byte[] {0, (byte) 200, 'x', 127})); r.put("n", null);
      r.put("x", new GenericData.Fixed(schema.getField("x").schema(), new byte[] {1, (byte) 255})); r.put("e", new GenericData.EnumSymbol(schema.getField("e").schema(), i % 2 == 0 ? "P" : "Q"));
      List<Integer> a = new ArrayList<>(); for (int k = 0; k < i; k++) a.add(k); r.put("a", a);
      Map<String, Long> m = new TreeMap<>(); for (int k = 0; k < i * 5; k++) m.put("key" + k * k, (long) k); r.put("m", m);
      Schema in = schema.getField("u").schema().getTypes().get(3); GenericRecord inside = new GenericData.Record(in); inside.put("t", 5L);
      r.put("u", i == 0 ? null : i == 1 ? "text" : i == 2 ? r.get("x") : inside); r.put("next", last);
      last = r; data.add(r);
    }
    avro("all.avro", null, schema, data.toArray());
    avro("deflate.avro", CodecFactory.deflateCodec(5), schema, data.toArray());
    avro("bzip2.avro", CodecFactory.bzip2Codec(), schema, data.toArray());
    avro("snappy.avro", CodecFactory.snappyCodec(), schema, data.toArray());
    avro("longs.avro", null, Schema.create(Schema.Type.LONG), 1L, -1L, 1L << 62);
    avro("none.avro", null, Schema.create(Schema.Type.STRING));
    java.nio.file.Files.write(java.nio.file.Path.of(dir, "short"), new byte[] {'S'});
    java.nio.file.Files.write(java.nio.file.Path.of(dir, "nothing"), new byte[0]);
    java.nio.file.Files.write(java.nio.file.Path.of(dir, "seal"), "SEAL is no sequence\n".getBytes());
    java.nio.file.Files.write(java.nio.file.Path.of(dir, "object"), "Obvious text\n".getBytes());
  }
}
